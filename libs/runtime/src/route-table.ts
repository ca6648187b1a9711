import type { FastifyInstance } from 'fastify';

interface Route {
  segments: readonly string[];
  methods: readonly string[];
}

/** The routes of a server, to tell an unknown path from an unknown method. Made before the routes are. */
export class RouteTable {
  readonly #routes: Route[] = [];

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      this.#routes.push({ segments: url.split('/'), methods: [method].flat() });
    });
  }

  /** The methods that a path supports, in alphabetical order; none when there is no such path. */
  methodsOf(path: string): string[] {
    const segments = path.split('/');
    const matching = this.#routes.filter((route) => matches(route.segments, segments));
    return [...new Set(matching.flatMap(({ methods }) => methods))].sort();
  }
}

/** As fastify writes patterns: `:name` stands for one segment, `*` at the end for all that follow. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  if (pattern.at(-1) === '*')
    return path.length >= pattern.length && pattern.slice(0, -1).every((part, i) => fits(part, path[i]!));
  return pattern.length === path.length && pattern.every((part, i) => fits(part, path[i]!));
}

function fits(part: string, segment: string): boolean {
  return part.startsWith(':') ? segment !== '' : part === segment;
}
