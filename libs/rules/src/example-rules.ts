import { join } from 'node:path';

/** The rules to begin with, as a file; examples.yaml says of each what it is for. */
export const exampleRulesFile = join(import.meta.dirname, '../examples.yaml');
