import { escapeHtml, inlineHtml, markdownToHtml } from './markdown-to-html.ts';
import {
  resolve,
  type Header,
  type MediaType,
  type OpenApiDocument,
  type Operation,
  type Parameter,
  type PathItem,
  type Response,
} from './open-api-document.ts';
import { schemaHtml } from './schema-html.ts';

/** One route as a section that opens: what it takes, what it responds with, examples, errors. */
export function operationHtml(
  document: OpenApiDocument,
  path: string,
  method: string,
  item: PathItem,
  operation: Operation,
): string {
  const servers = operation.servers ?? item.servers ?? document.servers;
  const ports = servers.map(
    ({ url, description = '' }) => `${new URL(url).port} ${description.toLowerCase()}`,
  );
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) =>
    resolve(document, each),
  );
  const { summary, description, requestBody, responses } = operation;
  return `<details class="operation">
<summary><span class="method ${method}">${method.toUpperCase()}</span> <code class="path">${escapeHtml(path)}</code> <span class="summary">${inlineHtml(summary)}</span></summary>
<div class="body" id="${anchorOf(method, path)}">
<p class="ports">Port ${ports.map(escapeHtml).join(', ')}</p>
${description === undefined ? '' : markdownToHtml(description)}
${parametersHtml(parameters)}
${requestBody === undefined ? '' : `<h4>Request body</h4>${contentHtml(requestBody.content)}`}
<h4>Responses</h4>
${Object.entries(responses)
  .map(([status, response]) => responseHtml(document, status, resolve(document, response)))
  .join('\n')}
</div>
</details>`;
}

/** The anchor of a route. */
export function anchorOf(method: string, path: string): string {
  return `${method}-${path.replaceAll(/[^A-Za-z0-9_]+/g, '-')}`;
}

function parametersHtml(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, required, description = '', schema, example }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${schemaHtml(schema)}</td><td>${inlineHtml(description)}${example === undefined ? '' : ` <span class="example">e.g. <code>${escapeHtml(String(example as string))}</code></span>`}</td></tr>`,
  );
  return `<h4>Parameters</h4>
<table><thead><tr><th>name</th><th>in</th><th>type</th><th>meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function responseHtml(document: OpenApiDocument, status: string, response: Response): string {
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) => {
    const { description = '' }: Header = resolve(document, header);
    return `<li><code>${escapeHtml(name)}</code> ${inlineHtml(description)}</li>`;
  });
  const kind = /^[23]|^101/.test(status) ? 'good' : 'bad';
  // The shape of errors is described once.
  if (isPlainError(response)) return plainErrorHtml(status, response);
  return `<details class="response" ${kind === 'good' ? 'open' : ''}><summary><span class="status ${kind}">${status}</span> ${inlineHtml(response.description)}</summary>
${headers.length === 0 ? '' : `<p>Headers</p><ul>${headers.join('')}</ul>`}
${response.content === undefined ? '' : contentHtml(response.content)}
</details>`;
}

function isPlainError({ content = {} }: Response): boolean {
  const schemas = Object.values(content).map(({ schema }) => schema?.$ref);
  return schemas.length > 0 && schemas.every((ref) => ref === '#/components/schemas/ErrorResponse');
}

function plainErrorHtml(status: string, { description, content = {} }: Response): string {
  const codes = Object.values(content).flatMap(({ example, examples = {} }) =>
    [example, ...Object.values(examples).map(({ value }) => value)].flatMap(
      (each) => (each as { error: { code: string } } | undefined)?.error.code ?? [],
    ),
  );
  return `<p class="response"><span class="status bad">${status}</span> ${inlineHtml(description)} <a href="#schema-ErrorResponse">ErrorResponse</a>, e.g. ${codes.map((code) => `<code>${code}</code>`).join(', ')}</p>`;
}

function contentHtml(content: Readonly<Record<string, MediaType>>): string {
  return Object.entries(content)
    .map(([type, { schema, example, examples = {} }]) => {
      const all = [
        ...(example === undefined ? [] : [example]),
        ...Object.values(examples).map(({ value }) => value),
      ];
      return `<div class="content"><p><code>${escapeHtml(type)}</code></p>
${schema === undefined ? '' : schemaHtml(schema)}
${all.map((each) => `<pre>${escapeHtml(textOf(each))}</pre>`).join('')}</div>`;
    })
    .join('\n');
}

function textOf(example: unknown): string {
  return typeof example === 'string' ? example.trimEnd() : JSON.stringify(example, null, 2);
}
