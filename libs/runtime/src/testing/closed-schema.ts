import { resolve, type JsonSchema, type OpenApiDocument } from '../api-docs/open-api-document.ts';

/**
 * A schema of the contract by itself, with every reference replaced, in which no object has a member that is not named. Outside tests
 * readers ignore such members; in tests each one is either missing in the document or should not be sent.
 */
export function closedSchema(document: OpenApiDocument, schema: JsonSchema, isPart = false): JsonSchema {
  const close = (inner: JsonSchema, innerIsPart = false): JsonSchema =>
    closedSchema(document, inner, innerIsPart);
  const { $ref, $defs: _, ...own } = schema;
  const target = $ref === undefined ? {} : close(resolve<JsonSchema>(document, { $ref }), isPart);
  const closed: JsonSchema = { ...target, ...own };
  const { properties, items, prefixItems, additionalProperties, allOf, anyOf, oneOf } = own;
  if (properties !== undefined)
    closed.properties = Object.fromEntries(
      Object.entries(properties).map(([name, member]) => [name, close(member)]),
    );
  if (items !== undefined) closed.items = close(items);
  if (prefixItems !== undefined) closed.prefixItems = prefixItems.map((each) => close(each));
  if (typeof additionalProperties === 'object') closed.additionalProperties = close(additionalProperties);
  if (anyOf !== undefined) closed.anyOf = anyOf.map((each) => close(each, isPart));
  if (oneOf !== undefined) closed.oneOf = oneOf.map((each) => close(each, isPart));
  if (allOf !== undefined) closed.allOf = allOf.map((each) => close(each, true));
  if (isPart || additionalProperties !== undefined) return closed;
  if (allOf !== undefined) closed.unevaluatedProperties = false;
  else if (properties !== undefined) closed.additionalProperties = false;
  return closed;
}
