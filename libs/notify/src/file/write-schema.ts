/** Writes receivers.schema.json, the JSON schema of the receivers file for editors. A test fails when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receiversJsonSchema } from './receivers-schema.ts';

const path = join(import.meta.dirname, '..', '..', 'receivers.schema.json');
writeFileSync(path, `${JSON.stringify(receiversJsonSchema(), null, 2)}\n`);
