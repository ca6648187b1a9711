import { availableParallelism } from 'node:os';

/** What the server's own metrics say; null where they do not. */
export interface ServerLook {
  /** Of all cores of this machine, since the look before. */
  cpuShare: number | null;
  memoryBytes: number | null;
}

/** Reads `/metrics` of the target's processes. */
export class ServerWatch {
  readonly #urls: readonly string[];
  #cpuS: number | undefined;
  #at = performance.now();
  version: string | null = null;

  /** The addresses of `/metrics`, one for each process; none: nothing is known of the server. */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  async look(): Promise<ServerLook> {
    const texts = await Promise.all(this.#urls.map(read));
    if (texts.length === 0 || texts.some((text) => text === undefined)) {
      this.#cpuS = undefined;
      return { cpuShare: null, memoryBytes: null };
    }
    const sum = (name: string): number | undefined => {
      const values = texts.map((text) => valueOf(text!, name));
      return values.includes(undefined) ? undefined : values.reduce((total, value) => total! + value!, 0);
    };
    this.version ??= /^logloom_build_info\{[^}]*version="([^"]*)"/m.exec(texts[0]!)?.[1] ?? null;
    const cpuS = sum('process_cpu_seconds_total');
    const now = performance.now();
    const elapsedS = (now - this.#at) / 1_000;
    const cpuShare =
      cpuS === undefined || this.#cpuS === undefined
        ? null
        : (cpuS - this.#cpuS) / elapsedS / availableParallelism();
    this.#cpuS = cpuS;
    this.#at = now;
    return { cpuShare, memoryBytes: sum('process_resident_memory_bytes') ?? null };
  }
}

function valueOf(text: string, name: string): number | undefined {
  const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text);
  return line === null ? undefined : Number(line[1]);
}

async function read(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}
