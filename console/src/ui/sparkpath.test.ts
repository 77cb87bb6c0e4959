import { expect, test } from "vitest";

import { line } from "./sparkpath";

test("values stand at the right, the greatest at the top", () => {
  expect(line([0, 5, 10], 3, 20, 12)?.line).toBe("M0 11L10 6L20 1");
  expect(line([10], 3, 20, 12)?.line).toBe("M20 1h0.01");
  expect(line([], 3, 20, 12)).toBeNull();
});

test("nothing but zeros is a line on the floor", () => {
  expect(line([0, 0], 2, 10, 12)?.line).toBe("M0 11L10 11");
});
