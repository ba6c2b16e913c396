// Settings as the server nests them, by the names that the form gives its fields.

/** `{lora: {rank: 8}}` as `{"lora.rank": 8}`. */
export function flat(values, before = "") {
  return Object.assign({}, ...Object.entries(values).map(([name, value]) =>
    value !== null && typeof value === "object" ? flat(value, `${before}${name}.`) : { [before + name]: value }));
}
