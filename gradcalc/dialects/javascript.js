// What Math lacks: the functions that gates of gradcalc are written with in JavaScript. Numbers in, number out, as IEEE arithmetic has it.

/** a^b as C's pow has it: 1^b and a^0 are 1, whatever the other is. */
const power = (a, b) => (a === 1 || b === 0 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b));

/** a - b·floor(a/b), with the sign of b; computed without rounding. */
function remainder(a, b) {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
}

/** The nearest whole number, halves to the even one. */
function roundHalfEven(x) {
  if (Math.abs(x) >= 2 ** 52 || x !== x) return x;
  const below = Math.floor(x);
  const rest = x - below;
  const even = below % 2 === 0;
  const whole = rest < 0.5 || (rest === 0.5 && even) ? below : below + 1;
  return whole === 0 && (x < 0 || Object.is(x, -0)) ? -0 : whole;
}

/** log(x)/log(base), by the functions that are made for the bases 2 and 10. */
const logTo = (x, base) => (base === 2 ? Math.log2(x) : base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base));

/** 1/(1 + exp(-x)) without overflow, right far out on both sides. */
function sigmoid(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const small = Math.exp(x);
  return small / (1 + small);
}

/** log(1 + exp(x)) without overflow. */
const softplus = (x) => Math.log1p(Math.exp(-Math.abs(x))) + (x > 0 ? x : x === x ? 0 : x);

/** log(exp(a) + exp(b)) without overflow. */
const logaddexp = (a, b) => (a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))));

const SERIES_BELOW = 2; // there the series and the continued fraction below are both right to 14 digits
const SERIES_TERMS = 60;
const FRACTION_TERMS = 120;

/** exp(-x²), with the square of x split so that nothing of it is lost where it is large. */
function bell(x) {
  const high = Math.fround(x); // its square needs no more than 48 bits
  return Math.exp(-high * high) * Math.exp(-(x - high) * (x + high));
}

/** The error function for |x| < 2: 2/sqrt(pi)·exp(-x²)·Σ 2^n x^(2n+1)/(1·3·5···(2n+1)), all of whose terms have one sign. */
function erfSeries(x) {
  let term = x;
  let sum = x;
  for (let n = 1; n < SERIES_TERMS && Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * bell(x) * sum;
}

/** The complementary error function for x >= 2 by its continued fraction, from the back: exp(-x²)/sqrt(pi)/(x + ½/(x + 1/(x + …))). */
function erfcFraction(x) {
  let tail = x;
  for (let n = FRACTION_TERMS; n >= 1; n--) tail = x + n / 2 / tail;
  return bell(x) / Math.sqrt(Math.PI) / tail;
}

/** The error function. */
function erf(x) {
  if (x !== x) return x;
  if (Math.abs(x) < SERIES_BELOW) return erfSeries(x);
  if (Math.abs(x) > 6) return Math.sign(x);
  return x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

/** 1 - erf(x), also where erf is nearly 1. */
function erfc(x) {
  if (x !== x) return x;
  if (x > 28) return 0;
  if (x >= SERIES_BELOW) return erfcFraction(x);
  return x > -SERIES_BELOW ? 1 - erfSeries(x) : 1 - erf(x);
}

/** x times the normal distribution function. */
const gelu = (x) => (x === -Infinity ? -0 : 0.5 * x * erfc(-x / Math.SQRT2));
