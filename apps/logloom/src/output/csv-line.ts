/** A record of RFC 4180, without its end. Objects and lists are JSON, what is missing is empty. */
export function csvLine(fields: readonly unknown[]): string {
  return fields
    .map((field) => {
      if (field === null || field === undefined) return '';
      const text = typeof field === 'string' ? field : JSON.stringify(field);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}
