// random.js: choices that one seed repeats (mulberry32).

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // 0 to `end` - 1.
  below(end) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}
