/**
 * Writes src/generated/types.ts, the TypeScript types of the Avro contracts, from avro/*.avsc. The output is not committed: `npm run
 * typecheck` regenerates it, so the types cannot drift from the contracts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractNames, contractPath } from './contracts.ts';

type Avro = string | Avro[] | { type: Avro; name?: string; doc?: string; [key: string]: unknown };

const primitives: Record<string, string> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
};

const declarations = new Map<string, string>();

function comment(doc: unknown, indent: string): string {
  return typeof doc === 'string' ? `${indent}/** ${doc} */\n` : '';
}

function render(schema: Avro): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema.split('.').at(-1)!;
  if (Array.isArray(schema)) return schema.map(render).join(' | ');
  switch (schema.type) {
    case 'record': {
      const fields = (schema.fields as (Avro & { name: string; doc?: string; type: Avro })[])
        .map((f) => `${comment(f.doc, '  ')}  ${f.name}: ${render(f.type)};`)
        .join('\n');
      const text = `${comment(schema.doc, '')}export interface ${schema.name} {\n${fields}\n}`;
      const before = declarations.get(schema.name!);
      if (before !== undefined && stripDocs(before) !== stripDocs(text)) {
        throw new Error(`two contracts define ${schema.name} differently`);
      }
      if (before === undefined) declarations.set(schema.name!, text);
      return schema.name!;
    }
    case 'enum': {
      const symbols = (schema.symbols as string[]).map((s) => `'${s}'`).join(' | ');
      declarations.set(schema.name!, `${comment(schema.doc, '')}export type ${schema.name} = ${symbols};`);
      return schema.name!;
    }
    case 'array':
      return `${render(schema.items as Avro)}[]`;
    case 'map':
      return `Record<string, ${render(schema.values as Avro)}>`;
    default:
      return render(schema.type);
  }
}

function stripDocs(text: string): string {
  return text.replaceAll(/ *\/\*\*.*?\*\/\n/g, '');
}

for (const name of contractNames) render(JSON.parse(readFileSync(contractPath(name), 'utf8')) as Avro);
const folder = join(import.meta.dirname, 'generated');
mkdirSync(folder, { recursive: true });
writeFileSync(
  join(folder, 'types.ts'),
  `// Made from ../../avro by generate-types.ts.\n\n${[...declarations.values()].join('\n\n')}\n`,
);
