/** Reads what the parent writes and drops it. argv: port, number of connections. */
import { connect } from 'node:net';

const [port, connections] = process.argv.slice(2).map(Number) as [number, number];
for (let n = 0; n < connections; n++)
  connect({ port, host: '127.0.0.1' })
    .on('error', () => {})
    .resume();
