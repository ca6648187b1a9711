/** A tab can shift what follows it, but forges nothing. */
const unsafe = /[^\P{Cc}\t]|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu;
/** Likewise without line feeds, and without the colours that a command sets itself. */
const unsafeInOutput = /(\u001b\[[0-9;]*m)|[^\P{Cc}\t\n]|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/**
 * Makes text that anybody may have written safe to stand in one line of a terminal: control characters (C0 but the tab, DEL, C1),
 * line and paragraph separators, and characters that cannot be seen (direction marks and overrides, zero-width ones: Unicode's
 * category Cf) are shown as JSON writes them, not obeyed.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(unsafe, (c) => short[c] ?? codeUnits(c));
}

/**
 * The last guard before a terminal: as escapeControls(), but line feeds and colours pass. JSON stays the same JSON: its own control
 * characters are escaped already, and the others stand in strings.
 */
export function escapeOutput(text: string): string {
  return text.replaceAll(unsafeInOutput, (c, colour: string | undefined) => colour ?? codeUnits(c));
}

function codeUnits(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++)
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}
