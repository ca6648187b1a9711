const pollMs = 250;
const timeoutMs = 2_000;

/** Asks for the target's readiness, several times a second. */
export class ReadinessWatch implements Disposable {
  readonly answers: { atS: number; isReady: boolean }[] = [];
  readonly #url: string;
  readonly #nowS: () => number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(url: string, nowS: () => number) {
    this.#url = new URL('/health/ready', url).href;
    this.#nowS = nowS;
  }

  /** A target that is not ready now has no readiness to ask for. */
  async begin(): Promise<void> {
    if (!(await this.#isReady())) return;
    const again = (): void => {
      this.#timer = setTimeout(() => {
        const atS = this.#nowS();
        void this.#isReady().then((isReady) => {
          if (this.#isOver) return;
          this.answers.push({ atS, isReady });
          again();
        });
      }, pollMs);
    };
    again();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(this.#url, { signal: AbortSignal.timeout(timeoutMs) });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}
