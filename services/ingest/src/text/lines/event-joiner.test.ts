import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventJoiner } from './event-joiner.ts';

function join(text: string, pattern?: RegExp | false): string[] {
  const joiner = new EventJoiner({ pattern });
  const events = text.split('\n').map((line, i) => joiner.push(line, i));
  return [...events, joiner.flush()].flatMap((event) => (event === undefined ? [] : [event.text]));
}

const java = `2026-01-01 10:00:00 ERROR c.f.Bar - failed
java.lang.IllegalStateException: boom
\tat c.f.Bar.run(Bar.java:1)
Caused by: java.io.IOException: disk
\tat c.f.Disk.write(Disk.java:2)
\t... 3 more`;
const javaAlone = `Exception in thread "main" java.lang.Error: x
\tat a.B.main(B.java:1)`;
const python = `2026-01-01 10:00:00 ERROR failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
ValueError: bad

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
TypeError: worse`;
const pythonAlone = `Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'a'`;
const node = `Error: boom
    at f (a.js:1:2)
    at node:internal/main:1:1 {
  code: 'X'
}`;
const go = `panic: runtime error: index out of range [5]

goroutine 1 [running]:
main.main()
\t/tmp/x.go:5 +0x1d
created by main.start
\t/tmp/x.go:9 +0x2f
exit status 2`;

test('the stack traces of Java, Python, Node and Go are one event each, whatever follows', () => {
  const line = '2026-01-01 10:00:01 INFO fine';
  for (const trace of [java, javaAlone, python, pythonAlone, node, go]) {
    assert.deepEqual(join(trace), [trace]);
    assert.deepEqual(join(`${line}\n${line}\n${line}`), [line, line, line]);
    assert.deepEqual(join(`${trace}\n${line}\n\n${line}`), [trace, line, line]);
    assert.deepEqual(join(`plain text\n\n${trace}\n${trace}\n${line}`), ['plain text', trace, trace, line]);
  }
  assert.deepEqual(join('one\nError: two\nError: three'), ['one', 'Error: two', 'Error: three']);
  assert.deepEqual(join('\n\n  indented first\nnext'), ['  indented first', 'next']);
});

test('a pattern begins events; none at all leaves the lines alone', () => {
  assert.deepEqual(join('> a\nb\n\nc\n> d', /^>/u), ['> a\nb\n\nc', '> d']);
  assert.deepEqual(join(javaAlone, false), javaAlone.split('\n'));
});

test('an event is never endless', () => {
  const events = join(`begin\n${'  more\n'.repeat(2500)}`);
  assert.deepEqual(
    events.map((event) => event.split('\n').length),
    [1000, 1000, 501],
  );
});
