/** `npm run docs`: writes the pages of docs/ that are made from declarations in the code. A test compares them with what is committed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedPages } from './docs/generated-pages.ts';

for (const { file, text } of await generatedPages())
  writeFileSync(join(import.meta.dirname, '..', file), text);
