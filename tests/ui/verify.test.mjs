// The browser's module in Node, against answers that were made elsewhere. Run by test_verify_module.py, which puts
// the path of the answers into ANSWERS and that of the module into MODULE.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const {
  Unverified, checkConsistency, checkInclusion, commitment, eventUuid, fromBase64, fromHex, leafHash, openParts,
  parseCheckpoint, parseEntry, parseNote, parseVerifierKey, toHex, verifyNote,
} = await import(process.env.MODULE);
const answers = JSON.parse(readFileSync(process.env.ANSWERS, "utf-8"));
const bytes = (text) => new TextEncoder().encode(text);
const refused = { name: "Unverified" };

function changed(hash) {
  const other = Uint8Array.from(hash);
  other[7] ^= 1;
  return other;
}

test("a whole event of the log format is read, hashed and opened", async () => {
  const { event } = answers;
  const entry = bytes(event.entry_utf8);
  assert.equal(toHex(await leafHash(entry)), event.leaf_hash_hex);
  const read = parseEntry(entry);
  const uuid = await eventUuid(read.source, read.id);
  assert.equal(toHex(uuid), event.event_uuid_hex);
  const parts = event.parts.map((part) => ({ no: part.part_no, salt: fromHex(part.salt_hex), data: bytes(part.data_utf8) }));
  for (const [place, part] of parts.entries()) {
    const committed = toHex(await commitment(part.salt, uuid, part.no, part.data));
    assert.equal(committed, event.parts[place].commitment_hex);
  }
  const opened = await openParts(read, parts);
  assert.deepEqual(opened.map((part) => part.state), parts.map(() => "opened"));
  const held = await openParts(read, parts.slice(0, 1), [1]);
  assert.deepEqual(held.map((part) => part.state), ["opened", "withheld", ...parts.slice(2).map(() => "missing")]);
});

test("a part that was changed, swapped or invented is refused", async () => {
  const { event } = answers;
  const read = parseEntry(bytes(event.entry_utf8));
  const [first, second] = event.parts.map((part) => ({ no: part.part_no, salt: fromHex(part.salt_hex), data: bytes(part.data_utf8) }));
  await assert.rejects(openParts(read, [{ ...first, data: bytes("{}") }]), refused);
  await assert.rejects(openParts(read, [{ ...first, salt: changed(first.salt) }]), refused);
  await assert.rejects(openParts(read, [{ ...second, no: 0 }]), refused);
  await assert.rejects(openParts(read, [{ ...first, no: 99 }]), refused);
  await assert.rejects(openParts(read, [first, first]), refused);
});

test("an entry is read in its canonical form only", () => {
  const text = answers.event.entry_utf8;
  const object = JSON.parse(text);
  const others = [
    `${text} `, text.replace(",", ", "), text.replace('"v":1', '"v":2'), text.replace('"seq":', '"seq":1.0e0,"x":'),
    JSON.stringify({ ...object, seq: 0 }), JSON.stringify({ ...object, parts: [] }), JSON.stringify({ ...object, id: 1 }),
    JSON.stringify({ ...object, rec: "2026-01-02T03:04:05Z" }), "[]", "null", "{", JSON.stringify({ ...object, more: 1 }),
    JSON.stringify({ ver: object.ver, ...object }),
  ];
  for (const other of others) assert.throws(() => parseEntry(bytes(other)), refused, other);
  assert.throws(() => parseEntry(Uint8Array.of(0xff)), refused);
});

test("every leaf of every small tree is proved, and no changed proof holds", async () => {
  for (const { index, size, leaf, path, root } of answers.inclusion) {
    const [hash, top, hashes] = [fromHex(leaf), fromHex(root), path.map(fromHex)];
    await checkInclusion(index, size, hash, hashes, top);
    await assert.rejects(checkInclusion(index, size, changed(hash), hashes, top), refused);
    await assert.rejects(checkInclusion(index, size, hash, [...hashes, hash], top), refused);
    if (hashes.length > 0) {
      const at = (index + size) % hashes.length;
      await assert.rejects(checkInclusion(index, size, hash, hashes.slice(1), top), refused);
      await assert.rejects(checkInclusion(index, size, hash, hashes.map((one, place) => (place === at ? changed(one) : one)), top), refused);
    }
  }
  await assert.rejects(checkInclusion(3, 3, fromHex(""), [], fromHex("")), refused);
});

test("every later tree is shown to extend every earlier one, and no changed proof holds", async () => {
  for (const { from, to, from_root, to_root, proof } of answers.consistency) {
    const [old, now, hashes] = [fromHex(from_root), fromHex(to_root), proof.map(fromHex)];
    await checkConsistency(from, to, old, now, hashes);
    await assert.rejects(checkConsistency(from, to, changed(old), now, hashes), refused);
    if (from > 0) await assert.rejects(checkConsistency(from, to, old, changed(now), hashes), refused);
    await assert.rejects(checkConsistency(from, to, old, now, [...hashes, old]), refused);
    for (const at of hashes.keys()) {
      await assert.rejects(checkConsistency(from, to, old, now, hashes.map((one, place) => (place === at ? changed(one) : one))), refused);
    }
  }
  await assert.rejects(checkConsistency(5, 4, fromHex(""), fromHex(""), []), /shorter/);
});

test("a checkpoint is verified with the key of its log and of its witness", async () => {
  for (const { note, keys, names, checkpoint } of answers.notes) {
    const read = parseNote(note);
    const known = await Promise.all(keys.map(parseVerifierKey));
    assert.deepEqual((await verifyNote(read, known)).map((key) => key.name), names);
    const said = parseCheckpoint(read.text);
    assert.deepEqual({ ...said, root: toHex(said.root) }, checkpoint);
    await assert.rejects(verifyNote({ ...read, text: `${read.text}more\n` }, known), refused);
    await assert.rejects(verifyNote(read, []), refused);
  }
});

test("every part of a verifier key and every change of it is refused", async () => {
  const { vkey, bad } = answers.verifier_key;
  assert.equal((await parseVerifierKey(vkey)).text, vkey);
  for (let from = 0; from < vkey.length; from += 1) {
    for (let to = from; to <= vkey.length; to += 1) {
      if (to - from < vkey.length) await assert.rejects(parseVerifierKey(vkey.slice(from, to)), refused);
    }
    const character = vkey[from] === "A" ? "B" : "A";
    await assert.rejects(parseVerifierKey(vkey.slice(0, from) + character + vkey.slice(from + 1)), refused);
  }
  for (const one of bad) await assert.rejects(parseVerifierKey(one), refused);
});

test("a note that is not as it must be is refused", () => {
  const { note } = answers.notes[0];
  const line = note.slice(note.indexOf("\n\n") + 2);
  const others = [
    "", "text\n", `${note}${line}`, note.replace("\n", "\r\n"), note.slice(0, -1), note.replace("— ", "- "),
    note.replace(/=*\n$/, "==\n"), note.replace("\n\n", "\n"), `${note}\n`, note.replace("— ", "— a+b"),
    note.slice(0, note.indexOf("\n\n") + 2) + "— name AAAA\n",
  ];
  for (const other of others) assert.throws(() => parseNote(other), refused, JSON.stringify(other));
});

test("a checkpoint that is not as it must be is refused", () => {
  const [origin, size, root] = answers.notes[0].note.split("\n");
  const others = [
    `${origin}\n0${size}\n${root}\n`, `${origin}\n+${size}\n${root}\n`, `${origin}\n１\n${root}\n`, `${origin}\n${size}\n${root}`,
    `\n${size}\n${root}\n`, `${origin}\n${2n ** 63n}\n${root}\n`, `${origin}\n${size}\nAAAA\n`, `${origin}\n${size}\n`,
    `${origin}\n${2n ** 60n}\n${root}\n`, `${origin}\n${size}\n${root}\n\n`,
  ];
  for (const other of others) assert.throws(() => parseCheckpoint(other), refused, other);
  assert.equal(parseCheckpoint(`${origin}\n${size}\n${root}\nfurther\n`).origin, origin);
});

test("base64 and hexadecimal digits have one spelling", () => {
  for (const text of ["AB==", "A", "A===", "AA=A", "AA\n=", " AAA", "AA-_", 7]) assert.throws(() => fromBase64(text), refused);
  for (const text of ["0", "0G", "AB", null]) assert.throws(() => fromHex(text), refused);
  assert.ok(new Unverified("why") instanceof Error);
});
