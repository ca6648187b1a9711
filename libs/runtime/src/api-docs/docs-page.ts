import { escapeHtml, inlineHtml, markdownToHtml } from './markdown-to-html.ts';
import {
  methods,
  resolve,
  type Method,
  type OpenApiDocument,
  type Operation,
  type PathItem,
} from './open-api-document.ts';
import { anchorOf, operationHtml } from './operation-html.ts';
import { schemaHtml } from './schema-html.ts';

interface Route {
  path: string;
  method: Method;
  item: PathItem;
  operation: Operation;
}

/** The contract as one page of HTML without scripts. `style` is its style sheet. */
export function docsPage(document: OpenApiDocument, style: string): string {
  const { info, tags, components } = document;
  const routes = routesOf(document);
  const groups = tags.map(({ name, description }) => ({
    name,
    description,
    routes: routes.filter(({ operation }) => operation.tags[0] === name),
  }));
  const schemas = Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(info.title)} API</title>
<style>${style}</style>
</head>
<body>
<nav aria-label="Routes">
<p class="title"><a href="#top">${escapeHtml(info.title)} API</a> <span class="version">${escapeHtml(info.version)}</span></p>
${groups.map(({ name, routes }) => `<p><a href="#${anchorOfTag(name)}">${escapeHtml(name)}</a></p><ul>${routes.map(linkHtml).join('')}</ul>`).join('\n')}
<p><a href="#schemas">Schemas</a></p><ul>${schemas.map(([name]) => `<li><a href="#schema-${name}">${name}</a></li>`).join('')}</ul>
</nav>
<main id="top">
<h1>${escapeHtml(info.title)} API</h1>
<p class="lead">${inlineHtml(info.summary)} <a href="openapi.json">openapi.json</a></p>
${markdownToHtml(info.description)}
${groups
  .map(
    ({
      name,
      description,
      routes,
    }) => `<section id="${anchorOfTag(name)}"><h2>${escapeHtml(name)}</h2><p>${inlineHtml(description)}</p>
${routes.map(({ path, method, item, operation }) => operationHtml(document, path, method, item, operation)).join('\n')}</section>`,
  )
  .join('\n')}
<section id="schemas"><h2>Schemas</h2>
${schemas.map(([name, schema]) => namedSchemaHtml(name, schema)).join('\n')}
</section>
</main>
</body>
</html>
`;
}

function routesOf(document: OpenApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, given]) => {
    const item = resolve(document, given);
    return methods.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, item, operation }];
    });
  });
}

function linkHtml({ path, method }: Route): string {
  return `<li><a href="#${anchorOf(method, path)}"><span class="method ${method}">${method.toUpperCase()}</span> ${escapeHtml(path)}</a></li>`;
}

function namedSchemaHtml(name: string, schema: Parameters<typeof schemaHtml>[0]): string {
  const parts = Object.entries(schema.$defs ?? {}).map(
    ([part, each]) =>
      `<h4 id="schema-${name}-${part}"><code>${escapeHtml(part)}</code></h4>${schemaHtml(each)}${examplesHtml(each.examples)}`,
  );
  return `<article id="schema-${name}"><h3>${name}</h3>${schemaHtml(schema)}${examplesHtml(schema.examples)}${parts.join('')}</article>`;
}

/** For a single value, the type is enough. */
function examplesHtml(examples: readonly unknown[] = []): string {
  return examples
    .filter((example) => typeof example === 'object')
    .map((example) => `<pre>${escapeHtml(JSON.stringify(example, null, 2))}</pre>`)
    .join('');
}

function anchorOfTag(name: string): string {
  return `tag-${name.toLowerCase()}`;
}
