/** The header of requests whose events users are not to see; its value names the run. */
export const loadtestHeader = 'logloom-loadtest';

/**
 * Whether the target hides the events of a request with the header from its users, and removes them after some hours. An earlier release
 * does not know it, and a key may lack the permission.
 */
export async function hidesEvents(
  { url, key }: { url: string; key?: string | undefined },
  run: string,
): Promise<boolean> {
  try {
    const response = await fetch(new URL('/ingest', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [loadtestHeader]: run,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      // It stores nothing.
      body: '[]',
      signal: AbortSignal.timeout(10_000),
    });
    await response.arrayBuffer();
    return response.headers.get(loadtestHeader) === run;
  } catch {
    return false;
  }
}
