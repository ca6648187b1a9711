/** Of longer messages only the beginning counts. */
const maxLength = 256;

/** Words are joined by `-`, `_`, `.` and `:`, so that UUIDs, addresses and times are one. */
const wordWithDigit = /[\w.:\-\u0080-\uffff]*\d[\w.:\-\u0080-\uffff]*/g;

/** The message with `*` for each word that contains a digit: `order 17 of 10.0.0.7:80 paid` is `order * of * paid`. */
export function messageTemplate(message: string): string {
  return message.slice(0, maxLength).replaceAll(wordWithDigit, '*');
}
