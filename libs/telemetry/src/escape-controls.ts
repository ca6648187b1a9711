/** A tab can shift what follows it, but forges nothing. */
const unsafe = /[^\P{Cc}\t]|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu;
/** The same without line feeds, and without the colors that a command sets itself. */
const unsafeInOutput = /(\u001b\[[0-9;]*m)|[^\P{Cc}\t\n]|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r' };

/**
 * Makes text from untrusted sources safe to print on one line of a terminal: control characters (C0 but the tab, DEL, C1), line and
 * paragraph separators, and characters that cannot be seen (direction marks and overrides, zero-width ones: Unicode's category Cf) are
 * printed as JSON escapes.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(unsafe, (c) => short[c] ?? codeUnits(c));
}

/**
 * The last guard before a terminal: like escapeControls(), but keeps line feeds and colors. JSON keeps its meaning: its control characters
 * are escaped already, and the others are inside strings.
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
