import { keywordFields, type FilterNode } from '@logloom/filter';
import { isOfRequestsAlone, isRequestField, requestFields } from './request-fields.ts';

export interface FieldProblem {
  field: string;
  message: string;
}

/** The fields that a filter tests, as it names them; `message` stands for words. */
export function fieldsOfFilter(node: FilterNode): string[] {
  switch (node.type) {
    case 'all':
    case 'none':
      return [];
    case 'not':
      return fieldsOfFilter(node.child);
    case 'and':
    case 'or':
      return node.children.flatMap(fieldsOfFilter);
    case 'level':
      return ['level'];
    case 'words':
      return ['message'];
    case 'attribute':
      return [node.path];
    default:
      return [node.field];
  }
}

/** The fields that requests do not have. */
export function unknownRequestFields(fields: readonly string[]): FieldProblem[] {
  return [...new Set(fields)]
    .filter((field) => !isRequestField(field))
    .map((field) => ({
      field,
      message: `requests have no field ${field}; they have ${requestFields.join(', ')} and labels.NAME`,
    }));
}

const eventFields = ['level', 'message', 'timestamp', ...keywordFields];

/**
 * Fields of a rule over events that are probably meant otherwise. Events may have any attribute, so it is no error. `text` is where they are
 * written: with `attributes.` before its name, an attribute is meant.
 */
export function doubtfulEventFields(fields: readonly string[], text: string): FieldProblem[] {
  const found: FieldProblem[] = [];
  for (const field of new Set(fields)) {
    if (text.includes(`attributes.${field}`)) continue;
    const meant = eventFields.find(
      (name) => name !== field && name.toLowerCase() === field.toLowerCase().replaceAll('_', ''),
    );
    if (isOfRequestsAlone(field))
      found.push({
        field,
        message:
          `${field} is a field of requests, and this rule looks at events: write \`of: requests\`, ` +
          `or attributes.${field} if that is an attribute of your events`,
      });
    else if (meant !== undefined)
      found.push({ field, message: `events have ${meant}; ${field} is an attribute of that name` });
  }
  return found;
}
