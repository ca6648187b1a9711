// Loaded into a server by `--import`, to see whether the analysis finds a leak: it keeps so many MiB a second.
import { isMainThread } from 'node:worker_threads';

const kept = [];
if (isMainThread)
  setInterval(
    () => kept.push(Buffer.alloc((Number(process.env.CALIBRATION_LEAK_MIB) * 2 ** 20) / 10, 1)),
    100,
  ).unref();
