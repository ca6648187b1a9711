/** Gives a server of the benches its next events, as lines of JSON; resolves when it has taken them. */
export async function publishLines(port: number, lines: readonly string[]): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  await response.arrayBuffer();
}
