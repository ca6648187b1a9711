import { createCli } from '../../apps/logloom/src/cli.ts';

type Command = ReturnType<typeof createCli>;
type Option = Command['options'][number];
type Argument = Command['registeredArguments'][number];

/** A command of logloom as its help describes it. */
export interface DescribedCommand {
  /** With those that it belongs to: logloom rules check. */
  path: string;
  description: string;
  usage: string;
  arguments: Parameter[];
  options: Parameter[];
  /** What its help says after the options; the list of settings is left out. May be empty. */
  notes: string;
}

export interface Parameter {
  /** As it is written: `<file>`, `-f, --follow`. */
  syntax: string;
  meaning: string;
  choices: readonly string[];
  default: { text: string; literal: boolean };
}

/** The command line as its declarations in apps/logloom/src describe it. */
export function describeCommands(): { description: string; notes: string; commands: DescribedCommand[] } {
  const program = createCli({
    env: {},
    signal: new AbortController().signal,
    write: () => {},
    note: () => {},
  });
  return {
    description: program.description(),
    notes: helpAfter(program),
    commands: allCommands(program).map(({ path, command }) => describe(path, command)),
  };
}

function allCommands(parent: Command, prefix = parent.name()): { path: string; command: Command }[] {
  return parent.commands.flatMap((command) => {
    const path = `${prefix} ${command.name()}`;
    return [{ path, command }, ...allCommands(command, path)];
  });
}

function describe(path: string, command: Command): DescribedCommand {
  return {
    path,
    description: command.description(),
    usage: command.usage(),
    arguments: command.registeredArguments.map(describeArgument),
    options: command.options.filter((option) => !option.hidden).map(describeOption),
    notes: helpAfter(command),
  };
}

function describeArgument(argument: Argument): Parameter {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return {
    syntax: argument.required ? `<${name}>` : `[${name}]`,
    meaning: argument.description,
    choices: [],
    default: defaultOf(argument.defaultValue, argument.defaultValueDescription),
  };
}

function describeOption(option: Option): Parameter {
  return {
    syntax: option.flags,
    meaning: option.description,
    choices: option.argChoices ?? [],
    default: defaultOf(option.defaultValue, option.defaultValueDescription),
  };
}

function defaultOf(value: unknown, description: string | undefined): Parameter['default'] {
  if (description !== undefined) return { text: description, literal: false };
  if (value === undefined || value === false || value === true || value === '')
    return { text: '', literal: false };
  if (value === Infinity) return { text: 'no limit', literal: false };
  const texts = [value].flat().map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
  return { text: texts.join(', '), literal: true };
}

function helpAfter(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => void (help += text) });
  command.outputHelp();
  const after = help.slice(command.helpInformation().length);
  return after.split('\nSettings, from the environment')[0]!.trim();
}
