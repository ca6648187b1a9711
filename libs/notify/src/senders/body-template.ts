import { Liquid } from 'liquidjs';

/** Templates are in a file that operators write; the limits keep a mistake from holding up everything else. */
const engine = new Liquid({
  // No files, and no member that the data does not have itself.
  ownPropertyOnly: true,
  strictFilters: true,
  relativeReference: false,
  fs: {
    existsSync: () => false,
    exists: async () => false,
    readFileSync: () => '',
    readFile: async () => '',
    resolve: (_dir, file) => file,
  },
  renderLimit: 200,
  memoryLimit: 50_000_000,
});

/** What is wrong with a template; undefined: nothing. */
export function checkTemplate(text: string): string | undefined {
  try {
    engine.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

/** The text that a template makes of the data. Throws Error where a limit is passed. */
export function renderTemplate(text: string, data: object): string {
  return engine.parseAndRenderSync(text, data) as string;
}
