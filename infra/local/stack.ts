/** `npm run stack`: the engines on this machine, without Docker. `--help` has the rest; README.md says what runs and what doesn't. */
import { runStack } from './run-stack.ts';
import { parseStackArguments, usage } from './stack-arguments.ts';
import { printEnv, printStatus, startInBackground, stopStack } from './stack-commands.ts';

const commands = {
  run: runStack,
  start: startInBackground,
  env: printEnv,
  status: printStatus,
  stop: stopStack,
};

try {
  const parsed = parseStackArguments(process.argv.slice(2));
  if (parsed.help) console.log(usage);
  else await commands[parsed.command](parsed);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
