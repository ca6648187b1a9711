import { escapeHtml, inlineHtml } from './markdown-to-html.ts';
import type { JsonSchema } from './open-api-document.ts';

/** A schema as HTML: its type and what it says, its members as a nested list; a schema with a name is a link to its own section. */
export function schemaHtml(schema: JsonSchema): string {
  const nested = membersHtml(schema);
  const about = [typeHtml(schema), limitsHtml(schema), describe(schema)]
    .filter((part) => part !== '')
    .join(' ');
  return `<div class="schema">${about}${nested}</div>`;
}

function membersHtml(schema: JsonSchema): string {
  const { properties = {}, required = [], items, additionalProperties } = schema;
  const rows = Object.entries(properties).map(([name, member]) => {
    const mark = required.includes(name) ? '' : ' <span class="optional">optional</span>';
    return `<li><code>${escapeHtml(name)}</code>${mark} ${schemaHtml(member)}</li>`;
  });
  if (typeof additionalProperties === 'object')
    rows.push(`<li><em>any name</em> ${schemaHtml(additionalProperties)}</li>`);
  if (items !== undefined && isLarge(items)) rows.push(`<li><em>each item</em> ${schemaHtml(items)}</li>`);
  for (const [word, choices] of [
    ['all of', schema.allOf],
    ['one of', schema.oneOf],
    ['any of', schema.anyOf],
  ] as const)
    if (choices !== undefined)
      rows.push(
        `<li><em>${word}</em><ul>${choices.map((c) => `<li>${schemaHtml(c)}</li>`).join('')}</ul></li>`,
      );
  return rows.length === 0 ? '' : `<ul class="members">${rows.join('')}</ul>`;
}

/** Whether its type alone does not say what it is. */
function isLarge({ $ref, properties, oneOf, allOf, anyOf }: JsonSchema): boolean {
  return $ref === undefined && (properties ?? oneOf ?? allOf ?? anyOf) !== undefined;
}

function typeHtml(schema: JsonSchema): string {
  const { $ref, type, items, prefixItems, format, const: constant, enum: values } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (constant !== undefined) return literal(constant);
  if (values !== undefined) return values.map(literal).join(' | ');
  if (prefixItems !== undefined) return `[${prefixItems.map(typeHtml).join(', ')}]`;
  if (type === 'array')
    return items === undefined || isLarge(items) ? 'array' : `array of ${typeHtml(items)}`;
  const name = [type ?? []].flat().join(' or ');
  return format === undefined ? name : `${name} (${escapeHtml(format)})`;
}

function linkTo(ref: string): string {
  const [, , , name = '', ...rest] = ref.split('/');
  const part = rest.at(-1);
  const anchor = part === undefined ? name : `${name}-${part}`;
  return `<a href="#schema-${escapeHtml(anchor)}">${escapeHtml(part ?? name)}</a>`;
}

function literal(value: unknown): string {
  return `<code>${escapeHtml(JSON.stringify(value))}</code>`;
}

function limitsHtml(schema: JsonSchema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, pattern, default: value } = schema;
  const said = [
    rangeOf(minimum, maximum, ''),
    minLength === 1 && maxLength === undefined ? 'not empty' : rangeOf(minLength, maxLength, ' characters'),
    rangeOf(minItems, maxItems, ' items'),
    pattern === undefined ? '' : `matches <code>${escapeHtml(pattern)}</code>`,
    value === undefined ? '' : `default ${literal(value)}`,
  ].filter((part) => part !== '');
  return said.length === 0 ? '' : `<span class="limits">${said.join(', ')}</span>`;
}

function rangeOf(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return `from ${least}${unit}`;
  return least === undefined ? `up to ${most}${unit}` : `${least} to ${most}${unit}`;
}

function describe({ description }: JsonSchema): string {
  return description === undefined ? '' : `<span class="about">${inlineHtml(description)}</span>`;
}
