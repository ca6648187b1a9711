/** Longer texts are hardly ever repeated: messages, attributes. */
const longest = 40;
/** Must be a power of two. */
const slots = 4096;

const kept: string[] = new Array<string>(slots).fill('');

/**
 * The text of UTF-8 bytes. A short ASCII text is looked for among those read lately on this thread, such as names of services and ids that
 * stand in an event twice: that is cheaper than making it, and takes no memory again.
 */
export function shortText(bytes: Buffer, from: number, end: number): string {
  const length = end - from;
  if (length > longest) return bytes.toString('utf8', from, end);
  let hash = length;
  let all = 0;
  for (let i = from; i < end; i++) {
    const byte = bytes[i]!;
    all |= byte;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  if (all >= 0x80) return bytes.toString('utf8', from, end);
  const slot = (hash ^ (hash >>> 15)) & (slots - 1);
  const found = kept[slot]!;
  if (found.length === length && isAt(bytes, from, found)) return found;
  return (kept[slot] = bytes.toString('latin1', from, end));
}

function isAt(bytes: Buffer, from: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
