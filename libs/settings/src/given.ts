import { readFileValue } from './connection/read-file-value.ts';
import { mayBeInFile, portUnit, type Setting } from './setting.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface GivenValue {
  text: string;
  origin: 'environment' | '.env' | 'file';
  file?: string;
}

export interface Given {
  values: ReadonlyMap<string, GivenValue>;
  problems: readonly string[];
}

/** A variable that Kubernetes sets in every container for a service of this name. */
const serviceLink = /^(?:tcp|udp|sctp):\/\//;

/**
 * The text of each setting: from the environment, else from the `.env` file. A certificate, and a setting that is or may hold a secret,
 * can be in a file instead, which `<name>_FILE` names; a line break at its end is ignored. Blank values and unreadable files are problems.
 */
export function readGiven(settings: ReadonlyMap<string, Setting<unknown>>, env: Env, dotenv: Env): Given {
  const values = new Map<string, GivenValue>();
  const problems: string[] = [];
  for (const [name, setting] of settings) {
    const own = find(name, env, dotenv);
    const inFile = mayBeInFile(setting) ? find(`${name}_FILE`, env, dotenv) : undefined;
    if (own !== undefined && inFile !== undefined)
      problems.push(`${name} and ${name}_FILE: set only one of them`);
    const isLink = own !== undefined && setting.unit === portUnit && serviceLink.test(own.text);
    const found = isLink ? undefined : (own ?? (inFile && readSecret(name, inFile.text, problems)));
    if (found === undefined) continue;
    if (found.text.trim() === '') problems.push(`${name} is blank: set a value, or remove it`);
    else values.set(name, found);
  }
  return { values, problems };
}

function find(name: string, env: Env, dotenv: Env): GivenValue | undefined {
  const text = env[name];
  if (text !== undefined) return { text, origin: 'environment' };
  const beneath = dotenv[name];
  return beneath === undefined ? undefined : { text: beneath, origin: '.env' };
}

function readSecret(name: string, file: string, problems: string[]): GivenValue | undefined {
  try {
    return { text: readFileValue(file), origin: 'file', file };
  } catch (error) {
    problems.push(`${name}_FILE=${file}: ${(error as NodeJS.ErrnoException).code ?? 'cannot be read'}`);
    return undefined;
  }
}
