/**
 * A place in a stream: "everything before these offsets has been sent". As text `v1.<stream letter>.<epoch>.<offsets>`, the next
 * offset of each partition in base 36, joined by dashes; every character may stand in a URL unescaped. Opaque to clients.
 */
export interface Cursor {
  letter: string;
  epoch: string;
  offsets: number[];
}

const shape =
  /^v1\.([a-z])\.([A-Za-z0-9_%~-]+)\.((?:0|[1-9a-z][0-9a-z]{0,10})(?:-(?:0|[1-9a-z][0-9a-z]{0,10}))*)$/;

export function formatCursor(letter: string, epoch: string, offsets: readonly number[]): string {
  let text = `v1.${letter}.${escapeEpoch(epoch)}.`;
  for (let p = 0; p < offsets.length; p++) text += (p === 0 ? '' : '-') + offsets[p]!.toString(36);
  return text;
}

/** Reads what formatCursor wrote; undefined for anything else. */
export function parseCursor(text: string): Cursor | undefined {
  const match = text.length <= 16_384 ? shape.exec(text) : null;
  if (match === null) return undefined;
  const offsets = match[3]!.split('-').map((offset) => Number.parseInt(offset, 36));
  if (!offsets.every(Number.isSafeInteger)) return undefined;
  try {
    return { letter: match[1]!, epoch: decodeURIComponent(match[2]!), offsets };
  } catch {
    return undefined;
  }
}

function escapeEpoch(epoch: string): string {
  return encodeURIComponent(epoch).replaceAll(
    /[.!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
