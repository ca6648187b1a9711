import { createRequire } from 'node:module';
import type { JsonSchema } from '../api-docs/open-api-document.ts';

interface Validate {
  (value: unknown): boolean;
  errors?: { instancePath: string; message?: string; params: object }[] | null;
}

interface Ajv {
  compile: (schema: JsonSchema) => Validate;
}

const require = createRequire(import.meta.url);
// The lint has an older ajv beside it: this is the one that the formats are for.
const requireForFormats = createRequire(require.resolve('ajv-formats'));
const { Ajv2020 } = requireForFormats('ajv/dist/2020.js') as { Ajv2020: new (options: object) => Ajv };
const { default: addFormats } = require('ajv-formats') as { default: (ajv: Ajv) => void };

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
addFormats(ajv);

/** Returns a function that lists what is wrong with a value, empty when nothing is. JSON Schema, draft 2020-12. */
export function validator(schema: JsonSchema): (value: unknown) => string[] {
  const validate = ajv.compile(schema);
  return (value) =>
    validate(value)
      ? []
      : validate.errors!.map(
          ({ instancePath, message, params }) =>
            `${instancePath === '' ? 'the whole' : instancePath} ${message} ${JSON.stringify(params)}`,
        );
}
