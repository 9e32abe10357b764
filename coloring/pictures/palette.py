"""The colors of groups in pictures."""

#: After P. Tol, "Colour schemes" (2021): told apart with every kind of color vision.
PALETTE = (
    *("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377"),
    *("#ee7733", "#009988", "#332288", "#ddaa77", "#882255", "#99bb55"),
)
