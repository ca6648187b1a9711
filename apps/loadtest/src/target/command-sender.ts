import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { reasonOf, type BatchFate, type OnAnswer, type Sender } from './sender.ts';

/** An address that starts a command instead. */
export const commandScheme = 'stdin:';

/**
 * Writes each event as a line to the standard input of a command, which a shell starts. A pipe acknowledges nothing: what the command was
 * given counts as taken, and what it was not, because it had ended, as unknown. The next batch starts it again.
 */
export class CommandSender implements Sender {
  readonly #command: string;
  readonly #onAnswer: OnAnswer;
  #child: ChildProcessWithoutNullStreams | undefined;

  constructor(command: string, onAnswer: OnAnswer) {
    this.#command = command;
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], signal: AbortSignal): Promise<BatchFate> {
    try {
      await this.#write(`${lines.join('\n')}\n`, signal);
      this.#onAnswer('written', false, undefined);
      return { fate: 'stored', rejected: [] };
    } catch (error) {
      if (!signal.aborted) this.#onAnswer(reasonOf(error), false, reasonOf(error));
      return { fate: 'unknown', rejected: [] };
    }
  }

  /** Resolves when the pipe has taken the text. */
  async #write(text: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    const { stdin } = (this.#child ??= this.#start());
    stdin.write(text, (error) => (error ? reject(error) : resolve()));
    await promise.finally(() => signal.removeEventListener('abort', abort));
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn(this.#command, { shell: true });
    child.stdout.resume();
    child.stderr.pipe(process.stderr);
    child.stdin.on('error', () => {});
    child.on('exit', () => (this.#child = undefined));
    return child;
  }
}
