export interface SearchTarget {
  /** The base URL of /api. */
  url: string;
  token?: string | undefined;
  /** Whether the target shows the run's events only to who asks for load tests. */
  isHidden?: boolean | undefined;
}

/** The body of `GET path`, or undefined if there is no answer or another status than success. */
export async function getJson<T>({ url, token }: SearchTarget, path: string): Promise<T | undefined> {
  try {
    const response = await fetch(new URL(path, url), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(20_000),
    });
    const body = (await response.json()) as T;
    return response.ok ? body : undefined;
  } catch {
    return undefined;
  }
}
