/** Returns a name that the object does not have: this one, perhaps with underscores behind it. */
export function freeName(name: string, object: object): string {
  let free = name;
  while (free in object) free += '_';
  return free;
}
