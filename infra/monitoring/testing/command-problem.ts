import { createCli } from '../../../apps/logloom/src/cli.ts';

const cli = createCli({
  env: {},
  signal: new AbortController().signal,
  write: () => {},
  note: () => {},
});

/** What is wrong with a `logloom` command as a page shows it, without running it: the command, its options, too few or many arguments. */
export function commandProblem(line: string): string | undefined {
  const [program, ...words] = line.split(/\s+/);
  if (program !== 'logloom') return `${program} is another program`;
  let command = cli;
  while (words[0] !== undefined) {
    const next = command.commands.find((one) => one.name() === words[0]);
    if (next === undefined) break;
    command = next;
    words.shift();
  }
  if (command === cli) return `there is no command ${words[0]}`;
  try {
    const { operands, unknown } = command.parseOptions(words);
    if (unknown.length > 0) return `unknown: ${unknown.join(' ')}`;
    const declared = command.registeredArguments;
    if (declared.filter(({ required }) => required).length > operands.length) return 'an argument is missing';
    if (operands.length > declared.length && declared.at(-1)?.variadic !== true)
      return `too many arguments: ${operands.join(' ')}`;
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}
