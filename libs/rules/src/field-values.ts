import { fieldOf, type FilterSubject } from '@logloom/filter';

/** The values of an event's field, as texts: none if the event lacks it, several if an attribute is a list. */
export type FieldValues = (subject: FilterSubject) => readonly string[];

const none: readonly string[] = [];

/** Reads the field that has this name in a filter. */
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
