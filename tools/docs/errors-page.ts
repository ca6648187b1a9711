import { errorSections, reasonSections } from './error-sections.ts';

const intro = `# Errors

Every error code of Logloom's public interfaces: what caused it and what to do. Codes are part of the contract and never change their
meaning; messages may change. _Retriable_ says whether the same input may succeed later without being changed.

Each service and lib declares its own codes with \`@logloom/errors\` ([ADR 23](adr/0023-one-error-model.md)). This page is made from the
declarations: change them and run \`npm run docs\`.

| where         | what it looks like |
| ------------- | ------------------ |
| HTTP          | the status and \`{"error":{"code","message",…}}\`; at ingest and \`/live\` also \`Retry-After\` when it is retriable |
| rejected line | an entry of \`rejected\` in the response of \`POST /ingest\`; the other lines are accepted |
| dead letter   | a record of \`logs.dead-letter\` with the code, a reason, the place and the original bytes |
| live error    | \`{"type":"error","code","message","id"?}\` on \`/live\`; the connection stays open. On \`/live/sse\` the stream ends |
| log           | the service's own log on standard error; the message names the cause |
| start         | the process exits before it accepts work, and says why on standard error |
| command line  | \`logloom: <message>\` on standard error, and the exit code |

Receivers of other protocols respond as their protocol does, with the code in front of the message: Elasticsearch's API in \`reason\`,
OTLP in the \`message\` of its Status, Loki's API in its line of text.
`;

const header = '| code | where | cause | what to do | retriable |\n| --- | --- | --- | --- | --- |';

/** docs/errors.md, before Prettier formats it. */
export function errorsPage(): string {
  const parts = [intro];
  for (const { title, intro, declaredIn, declarations } of errorSections) {
    const rows = Object.entries(declarations).map(([code, { status, where, cause, action, retriable }]) => {
      const seen = status === undefined ? where : where.replaceAll(/\bHTTP\b/g, `HTTP ${status}`);
      return row(code, seen, cause, action, retriable);
    });
    parts.push(section(title, intro, declaredIn, rows));
  }
  for (const { title, intro, declaredIn, declarations } of reasonSections) {
    const rows = Object.entries(declarations).map(([code, { where, cause, action, retriable }]) =>
      row(code, where, cause, action, retriable),
    );
    parts.push(section(title, intro, declaredIn, rows));
  }
  return parts.join('\n');
}

function section(
  title: string,
  intro: string | undefined,
  declaredIn: string,
  rows: readonly string[],
): string {
  const lines = [`## ${title}`, '', ...(intro === undefined ? [] : [intro, ''])];
  return [...lines, `Declared in \`${declaredIn}\`.`, '', header, ...rows, ''].join('\n');
}

function row(code: string, where: string, cause: string, action: string, retriable: boolean): string {
  return `| \`${code}\` | ${where} | ${cause} | ${action} | ${retriable ? 'yes' : 'no'} |`;
}
