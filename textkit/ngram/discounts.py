"""Discounts in closed form from counts of counts: how many n-grams of an order occur once, twice, ….

Each function takes those numbers, t1 first, and raises ValueError with the reason where the formula does not apply.
"""

COUNTS = 9  # counts of counts that the formulas look at
_KATZ = 7  # counts above are trusted (Katz 1987 took 5, SRILM's default is 7)


def modified(tally: list[int]) -> tuple[float, ...]:
    """For counts 1, 2 and 3 and more (Chen & Goodman 1998, equation 26).

        Y = t1 / (t1 + 2 t2),  D_j = j - (j + 1) Y t_{j+1} / t_j

    Raises:
        ValueError: none occurs once, twice or three times, or a discount is out of range.
    """
    _need(tally[:3])
    ratio = tally[0] / (tally[0] + 2 * tally[1])
    values = tuple(j - (j + 1) * ratio * tally[j] / tally[j - 1] for j in (1, 2, 3))
    for j, value in enumerate(values, 1):
        if not 0 <= value <= j:
            raise ValueError(f"the discount for count {j} would be {value:.3f}")
    return values


def single(tally: list[int]) -> tuple[float, ...]:
    """One for all counts, D = t1 / (t1 + 2 t2) (Ney, Essen & Kneser 1994).

    Raises:
        ValueError: none occurs once or twice.
    """
    _need(tally[:2])
    return (tally[0] / (tally[0] + 2 * tally[1]),)


def good_turing(tally: list[int]) -> tuple[float, ...]:
    """For counts 1 to K + 1 and more, what Good-Turing takes off by Katz's rule (1987); 0 for the last.

        r* = (r + 1) t_{r+1} / t_r,  d_r = (r* / r - A) / (1 - A) with A = (K + 1) t_{K+1} / t_1,  D_r = r (1 - d_r)

    K is 7, or the largest below for which all d_r lie between 0 and 1.

    Raises:
        ValueError: there is no such K.
    """
    _need(tally[:2])
    for top in range(_KATZ, 0, -1):
        share = (top + 1) * tally[top] / tally[0]
        if not all(tally[: top + 1]) or share >= 1:
            continue
        kept = [((r + 1) * tally[r] / tally[r - 1] / r - share) / (1 - share) for r in range(1, top + 1)]
        if all(0 < d < 1 for d in kept):
            return (*(r * (1 - d) for r, d in enumerate(kept, 1)), 0.0)
    raise ValueError("the counts of counts do not fall as Good-Turing needs")


def _need(tally: list[int]) -> None:
    for count, number in enumerate(tally, 1):
        if number == 0:
            raise ValueError(f"none occurs {count} time{'s' * (count > 1)}")
