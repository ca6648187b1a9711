/** Whether a text matches a pattern in which `*` stands for any text. */
export function glob(pattern: string): (text: string) => boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\/]/g, '\\$&').replace(/\*+/g, '.*');
  const matcher = new RegExp(`^${source}$`, 'su');
  return (text) => matcher.test(text);
}
