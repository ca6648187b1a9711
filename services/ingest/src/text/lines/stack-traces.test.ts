import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextEvent } from '../layouts/layout.ts';
import { TextReader, type FileEvent } from '../text-reader.ts';
import { timeZone } from '../time/time-zone.ts';

const next = '2025-03-14 09:26:54 INFO fine';

/** Each is a trace and one more event. */
const traces: Readonly<Record<string, string>> = {
  elixir: `09:26:53.589 [error] GenServer MyApp.Worker terminating\n** (RuntimeError) boom\n    (my_app 0.1.0) lib/a.ex:3: MyApp.run/0\n    (stdlib 5.0) gen_server.erl:1077: :gen_server.try_dispatch/4\nLast message: :boom\nState: %{}\n${next}`,
  elixirAlone: `** (RuntimeError) boom\n    a.exs:1: (file)\n${next}`,
  erlang: `=ERROR REPORT==== 14-Mar-2025::09:26:53.589793 ===\n** Generic server x terminating\n** Last message in was boom\n** Reason for termination ==\n** {badmatch,1}\n\n=INFO REPORT==== 14-Mar-2025::09:26:54.000000 ===\nok`,
  cpp: `terminate called after throwing an instance of 'std::runtime_error'\n  what():  boom\nAborted (core dumped)\n${next}`,
  asan: `=================================================================\n==123==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n    #0 0x1 in main /a.cpp:5\n    #1 0x2 in __libc_start_main\nSUMMARY: AddressSanitizer: heap-use-after-free /a.cpp:5 in main\n==123==ABORTING\n${next}`,
  glog: `F0314 09:26:53.589793 123 a.cc:12] Check failed: x\n*** Check failure stack trace: ***\n    @     0x7f  google::LogMessage::Fail()\n    @     0x7e  main\n${next}`,
  boost: `2025-03-14 09:26:53 ERROR crash\n 0# foo() at a.cpp:5\n 1# main at a.cpp:9\n${next}`,
  gdb: `Segmentation fault (core dumped)\n#0  0x0 in foo () at a.c:5\n#1  0x1 in main () at a.c:9\n${next}`,
  rustold: `thread 'main' panicked at 'boom', src/main.rs:5:10\nnote: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace\n${next}`,
  anyhow: `Error: failed to load\n\nCaused by:\n    0: read\n    1: No such file\n${next}`,
  kotlin: `Exception in thread "main" java.lang.IllegalStateException: boom\n\tat MainKt.main(Main.kt:3)\nCaused by: kotlin.KotlinNullPointerException\n\t... 1 more\n${next}`,
  javaMsg: `2025-03-14 09:26:53 ERROR [main] c.A - failed\njava.sql.SQLException: bad\nDetail: second line of message\n\tat c.A.run(A.java:1)\n${next}`,
  pyGroup: `  + Exception Group Traceback (most recent call last):\n  |   File "a.py", line 1, in <module>\n  | ExceptionGroup: two (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | ValueError: 1\n    +------------------------------------\n${next}`,
  pyLogging: `ERROR:root:failed\nTraceback (most recent call last):\n  File "a.py", line 1, in <module>\nZeroDivisionError: division by zero\nINFO:root:fine`,
  celery: `[2025-03-14 09:26:53,589: ERROR/ForkPoolWorker-1] Task failed: ValueError('x')\nTraceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: x\n[2025-03-14 09:26:54,589: INFO/MainProcess] fine`,
  node2: `2025-03-14 09:26:53 ERROR request failed AssertionError [ERR_ASSERTION]: x\n    at f (/app/a.js:1:2) {\n  generatedMessage: true,\n  [cause]: Error: inner\n      at g (/app/b.js:1:2)\n}\n${next}`,
  nodeUnhandled: `node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n            ^\n\nError: boom\n    at main (/app/a.js:1:1)\n\nNode.js v20.11.1\n${next}`,
  nodeReject: `[UnhandledPromiseRejection: This error originated either by throwing] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}\n${next}`,
  ts: `/app/src/a.ts:10\n    throw new Error('boom');\n    ^\nError: boom\n    at main (/app/src/a.ts:10:11)\n${next}`,
  go2: `fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/app/main.go:5 +0x1d\n\ngoroutine 18 [select]:\nmain.worker(0xc000)\n\t/app/w.go:9 +0x2f\ncreated by main.main in goroutine 1\n\t/app/main.go:3 +0x1\nexit status 2\n${next}`,
  zap: `2025-03-14T09:26:53.589Z\tERROR\tapp/main.go:12\tfailed\t{"order": 5}\nmain.run\n\t/app/main.go:12\nmain.main\n\t/app/main.go:5\n2025-03-14T09:26:54.000Z\tINFO\tapp/main.go:13\tfine`,
  ruby3: `app.rb:3:in 'Integer#/': divided by 0 (ZeroDivisionError)\n\tfrom app.rb:3:in 'Object#foo'\n${next}`,
  rubyCause: `E, [2025-03-14T09:26:53.589793 #1] ERROR -- : failed (RuntimeError)\n/app/a.rb:3:in \`foo'\n/app/a.rb:6:in \`<main>'\n/app/b.rb:1:in \`x': inner (ArgumentError)\nI, [2025-03-14T09:26:54.000000 #1]  INFO -- : fine`,
  puma: `2025-03-14 09:26:53 +0000 Rack app error handling request { GET /x }\n#<NoMethodError: undefined method 'x' for nil>\n/app/a.rb:3:in \`foo'\n${next}`,
  php2: `PHP Fatal error:  Uncaught Exception: boom in /app/a.php:3\nStack trace:\n#0 {main}\n  thrown in /app/a.php on line 3\nPHP Warning:  x in /app/b.php on line 1`,
  symfony: `[2025-03-14T09:26:53.589793+00:00] request.CRITICAL: Uncaught PHP Exception {"exception":"[object] (RuntimeException(code: 0): boom at /app/a.php:3)\n[stacktrace]\n#0 /app/b.php(3): x()\n#1 {main}\n"} []\n[2025-03-14T09:26:54.000000+00:00] app.INFO: fine [] []`,
  dotnet: `fail: Microsoft.AspNetCore.Server.Kestrel[13]\n      Connection id "x": An unhandled exception\n      System.InvalidOperationException: boom\n         at Shop.A.Run() in /src/A.cs:line 7\ninfo: Shop[0]\n      fine`,
  dotnetAgg: `2025-03-14 09:26:53.589 +00:00 [ERR] failed\nSystem.AggregateException: One or more errors occurred. (boom)\n ---> System.Exception: boom\n   at A.B() in /a.cs:line 1\n--- End of stack trace from previous location ---\n   at A.C() in /a.cs:line 2\n   --- End of inner exception stack trace ---\n2025-03-14 09:26:54.000 +00:00 [INF] fine`,
  jul: `Mar 14, 2025 9:26:53 AM com.example.A run\nSEVERE: failed\njava.lang.IllegalStateException: boom\n\tat com.example.A.run(A.java:1)\n\nMar 14, 2025 9:26:54 AM com.example.A run\nINFO: fine`,
  julSpan: `14-Mar-2025 09:26:53.589 SEVERE [main] org.apache.A.b Failed\n\tjava.lang.X: y\n\t\tat a.b(c.java:1)\n14-Mar-2025 09:26:54.589 INFO [main] org.apache.A.b fine`,
  perl: `boom at a.pl line 3.\n\tmain::f() called at a.pl line 6\n${next}`,
  lua: `lua: a.lua:1: boom\nstack traceback:\n\t[C]: in function 'error'\n\ta.lua:1: in main chunk\n${next}`,
  dart: `Unhandled exception:\nException: boom\n#0      main (file:///a.dart:3:3)\n#1      _delayEntrypointInvocation\n<asynchronous suspension>\n${next}`,
  timedTrace: `2025-03-14 09:26:53 ERROR failed\n  at 2025-03-14 09:26:50 something\n${next}`,
};

function read(lines: readonly string[]): FileEvent[] {
  const reader = new TextReader({ zone: timeZone('UTC') });
  let end = 0;
  const events = lines.flatMap((line) => reader.push(line, (end += line.length + 1)));
  return [...events, ...reader.flush()];
}

for (const [name, text] of Object.entries(traces))
  test(`${name}: a trace is one event, in text, between JSON lines and in lines of a container`, () => {
    const lines = text.split('\n');
    const json = '{"level":"warn","msg":"json"}';
    const events = read(lines);
    assert.equal(events.length, 2, JSON.stringify(events, undefined, 1));
    const [trace, other] = events.map(({ content }) => content as TextEvent);
    assert.match(String(other!['message'] ?? other!['msg']), /^(?:fine|x in|ok)/);
    // What is indented in a block of .NET's console logger is set in.
    const words = lines.slice(0, -1).at(-1)!.trim();
    assert.ok(String(trace!['message']).includes(words) || name === 'dotnet' || text.includes('\n\n'), words);
    assert.equal(read([json, ...lines, json]).length, 4);
    const docker = lines.map((line) =>
      JSON.stringify({ log: `${line}\n`, stream: 'stderr', time: '2025-03-14T09:26:55Z' }),
    );
    assert.equal(read(docker).length, 2);
    const cri = lines.map((line, i) => `2025-03-14T09:26:55.00${i % 10}Z stderr F ${line}`);
    const inCri = read(cri);
    assert.equal(inCri.length, 2);
    assert.match(String((inCri[0]!.content as TextEvent)['timestamp']), /^2025-03-14T09:26:5/);
  });

test('a line that continues an event has no time of its own', () => {
  const events = read([
    '[14-Mar-2025 09:26:53 UTC] PHP Fatal error:  Uncaught Exception: boom in /app/a.php:3',
    '[14-Mar-2025 09:26:53 UTC] PHP Stack trace:',
    '[14-Mar-2025 09:26:53 UTC] PHP   1. {main}() /app/a.php:0',
    '2025-03-14 09:26:53 ERROR failed',
    '  at 2025-03-14 09:26:50 something',
  ]);
  assert.equal(events.length, 2);
});

test('lines that are no trace stay apart', () => {
  for (const lines of [
    ['one', 'two', 'Error: three'],
    ['Error: one', 'Error: two'],
    ['2025-03-14 09:26:53 INFO a', 'plain', 'Node is up'],
    ['2025-03-14 09:26:53 INFO a', 'Exception in thread "main" java.lang.Error: x'],
    ['2025-03-14 09:26:53 INFO a', 'panic: boom'],
    ['2025-03-14 09:26:53 INFO example', 'example.com'],
  ])
    assert.equal(read(lines).length, lines.length, lines.join());
});
