/** Writes rules.schema.json, the JSON schema of the rules file for editors. A test fails when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rulesJsonSchema } from './rule-schema.ts';

const path = join(import.meta.dirname, '..', 'rules.schema.json');
writeFileSync(path, `${JSON.stringify(rulesJsonSchema(), null, 2)}\n`);
