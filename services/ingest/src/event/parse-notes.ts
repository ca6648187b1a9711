/** What was not understood of an event that was accepted all the same. */
export const noteReasons = [
  'not a time',
  'time out of range',
  'not a level',
  'not a text',
  'too long',
  'too deep',
] as const;
export type NoteReason = (typeof noteReasons)[number];

/** The attribute that names it: a list of `field: reason`. */
export const notesName = 'parseNotes';
const member = `"${notesName}":[`;
const maxNotes = 10;

/** Returns the notes as a JSON member, to be the last of the attributes: that is where countNotes() looks. */
export function notesMember(notes: readonly { name: string; reason: NoteReason }[]): string {
  const texts = notes.slice(0, maxNotes).map(({ name, reason }) => `${name.slice(0, 64)}: ${reason}`);
  return `,${member}${[...new Set(texts)].map((text) => JSON.stringify(text)).join(',')}]`;
}

/** Calls back with each reason among the notes of an event's attributes. Costs next to nothing where there are none. */
export function countNotes(attributes: string, count: (reason: NoteReason) => void): void {
  if (!attributes.endsWith('"]}')) return;
  const at = attributes.lastIndexOf(member);
  if (at < 0) return;
  for (const reason of noteReasons) {
    const end = `: ${reason}"`;
    for (let i = attributes.indexOf(end, at); i >= 0; i = attributes.indexOf(end, i + 1)) count(reason);
  }
}
