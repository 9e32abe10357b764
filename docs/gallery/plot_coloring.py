"""
Colors of a matrix: a finite-element mesh
=========================================

The stiffness matrix of a triangle mesh has an entry where two corners share a triangle. Columns of one color share no
row, so that their entries fit side by side into one column of the compressed matrix.
"""

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.spatial import Delaunay

import coloring

# %%
# A mesh of 160 points in a disc, numbered so that neighbours stay close:

k = np.arange(160)
radius, angle = np.sqrt((k + 0.5) / 160), k * np.pi * (3.0 - np.sqrt(5.0))
points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
triangles = Delaunay(points).simplices
i, j = np.repeat(triangles, 3, axis=1).ravel(), np.tile(triangles, 3).ravel()
mesh = scipy.sparse.csr_array((np.ones(i.size), (i, j)), shape=(160, 160))
order = reverse_cuthill_mckee(mesh, symmetric_mode=True)
mesh, points, triangles = mesh[order][:, order], points[order], np.argsort(order)[triangles]

# %%
# On the left the matrix, on the right what is left of it after compression: every entry is still there.

columns = coloring.color(mesh)
print(f"{columns.num_colors} colors, at least {columns.lower_bound} are needed")
fig, axes = plt.subplots(1, 2, figsize=(8, 6), layout="constrained", width_ratios=(5, 1))
columns.spy(axes)

# %%
# A symmetric matrix can do with fewer: of an entry and its mirror image only one has to be read. Here are the
# colorings on the mesh itself.

star = coloring.color(mesh, structure="symmetric")
acyclic = coloring.color(mesh, structure="symmetric", decompression="substitution")
fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for ax, (name, result) in zip(axes, {"columns": columns, "star": star, "acyclic": acyclic}.items(), strict=True):
    ax.triplot(*points.T, triangles, color="0.7", linewidth=0.5)
    ax.scatter(*points.T, c=result.colors, cmap="tab20", s=25, zorder=2)
    ax.set(title=f"{name}: {result.num_colors} colors", aspect="equal")
    ax.axis("off")
