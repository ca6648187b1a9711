import { fieldOf, type FilterSubject } from '@logloom/filter';

/** The values that an event has for a field, as texts: none where it lacks it, several where an attribute is a list. */
export type FieldValues = (subject: FilterSubject) => readonly string[];

const none: readonly string[] = [];

/** Reads the field that a filter would ask under this name. */
export function fieldValues(name: string): FieldValues {
  const field = fieldOf(name);
  switch (field.type) {
    case 'level':
      return ({ event }) => [event.level];
    case 'message':
      return ({ event }) => [event.message];
    case 'number':
      return ({ event }) => [String(event[field.name])];
    case 'keyword':
      return ({ event }) => {
        const value = event[field.name];
        return value === null ? none : [value];
      };
    case 'attribute':
      return (subject) => subject.attributes.get(field.path)?.map(String) ?? none;
  }
}
