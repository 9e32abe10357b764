"""Six small functions on which elimination orders are compared in the literature, in plain NumPy.

They are scalar tasks of AlphaGrad (Lohoff and Neftci, 2024): fluxes of gas dynamics after Roe (1981), two systems of
the MINPACK-2 collection, the position of a robot's hand, and the price of an option, whose gradient is the task. The
formulas and constants are those of the published tasks, also where they depart from their source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import erf

GAMMA = 0.5
LINKS = {"a1": 175.0, "a2": 890.0, "a3": 50.0, "d1": 575.0, "d4": 1035.0, "d6": 185.0}


def roe_flux_1d(state: Any) -> Any:
    """Roe's flux between two gases on a line: density, momentum and energy on the left and on the right."""
    left, right = state[:3], state[3:]
    (rho_l, m_l, e_l), (rho_r, m_r, e_r) = left, right
    v_l, v_r = m_l / rho_l, m_r / rho_r
    p_l = (GAMMA - 1.0) * (e_l - 0.5 * m_l**2 / rho_l)
    p_r = (GAMMA - 1.0) * (e_r - 0.5 * m_r**2 / rho_r)
    h_l, h_r = (e_l + p_l) / rho_l, (e_r + p_r) / rho_r
    root_l, root_r = np.sqrt(rho_l), np.sqrt(rho_r)
    weight, rho = root_l + root_r, np.sqrt(rho_l * rho_r)
    u = (root_l * v_l + root_r * v_r) / weight
    h = (root_l * h_l + root_r * h_r) / weight
    q2 = u**2
    a2 = (GAMMA - 1.0) * (h - 0.5 * q2)
    a = np.sqrt(a2)
    dp, dv = p_r - p_l, v_r - v_l
    n = a * rho
    c0 = (rho_r - rho_l - dp / a2) * np.abs(u)
    c = 0.5 * rho / a
    c1 = c * ((dv + dp / n) * np.abs(u + a))
    c2 = c * ((dv - dp / n) * np.abs(u))
    means = np.stack([m_l + m_r, p_l + m_l * v_l + p_r + m_r * v_r, v_l * (p_l + e_l) + v_r * (p_r + e_r)])
    jumps = np.stack(
        [c0 + c1 - c2, c0 * u + c1 * (u + a) - c2 * (u - a), c0 * 0.5 * q2 + c1 * (h + u * a) - c2 * (h - u * a)]
    )
    return 0.5 * (means - jumps)


def roe_flux_3d(state: Any) -> Any:
    """Roe's flux in space: density, three momenta and energy on the left and on the right."""
    rho_l, m_l, e_l = state[0], state[1:4], state[4]
    rho_r, m_r, e_r = state[5], state[6:9], state[9]
    v_l, v_r = m_l / rho_l, m_r / rho_r
    root_l, root_r = np.sqrt(rho_l), np.sqrt(rho_r)
    weight = root_l + root_r
    p_l = (GAMMA - 1.0) * (e_l - 0.5 * np.sum(m_l**2) / rho_l)
    p_r = (GAMMA - 1.0) * (e_r - 0.5 * np.sum(m_r**2) / rho_r)
    velocity = (root_l * v_l + root_r * v_r) / weight
    u, v, w = velocity
    h = (root_l * ((e_l + p_l) / rho_l) + root_r * ((e_r + p_r) / rho_r)) / weight
    q2 = np.sum(velocity**2)
    a2 = (GAMMA - 1.0) * (h - 0.5 * q2)
    a = np.sqrt(a2)
    drho, dm, de = rho_r - rho_l, m_r - m_l, e_r - e_l
    c3 = (GAMMA - 1.0) / a2 * ((h - q2) * drho + velocity @ dm - de) * u
    c2 = (dm[2] / w - dm[0]) * u
    c1 = (dm[1] / v - drho) * u
    k1, k2 = drho - c3, (dm[0] - u * drho) / a
    c0, c4 = 0.5 * (k1 - k2) * (u - a), 0.5 * (k1 + k2) * (u + a)
    pressure = np.array([1.0, 0.0, 0.0]) * (p_l + p_r)
    means = np.concatenate(
        [[m_l[0] + m_r[0]], m_l * v_l + m_r * v_r + pressure, [v_l[0] * (p_l + e_l) + v_r[0] * (p_r + e_r)]]
    )
    jumps = np.stack(
        [
            c0 + c3 + c4 * (u + a),
            c0 * (u - a) + c3 * u + c4 * (u + a),
            c0 * v + c1 * v + c3 * v + c4 * v,
            c0 * w + c2 * w + c3 * w + c4 * w,
            c0 * (h - u * a) + c1 * v**2 + c2 * w**2 + c3 * 0.5 * q2 + c4 * (h + u * a),
        ]
    )
    return 0.5 * (means - jumps)


def human_heart_dipole(x: Any) -> Any:
    """The dipole moment of the heart from eight unknowns (MINPACK-2), with all measured sums one."""
    x1, x2, x3, x4, x5, x6, x7, x8 = x
    d57, d68 = x5**2 - x7**2, x6**2 - x8**2
    t5, t7 = x5 * (x5**2 - 3.0 * x7**2), x7 * (x7**2 - 3.0 * x5**2)
    t6, t8 = x6 * (x6**2 - 3.0 * x8**2), x8 * (x8**2 - 3.0 * x6**2)
    return np.stack(
        [
            x1 + x2 - 1.0,
            x3 + x4 - 1.0,
            x5 * x1 + x6 * x2 - x7 * x3 - x8 * x4 - 1.0,
            x7 * x1 + x8 * x2 + x5 * x3 + x6 * x4 - 1.0,
            x1 * d57 - 2.0 * x3 * x5 * x7 + x2 * d68 - 2.0 * x4 * x6 * x8 - 1.0,
            x3 * d57 - 2.0 * x1 * x5 * x7 + x4 * d68 - 2.0 * x2 * x6 * x8 - 1.0,
            x1 * t5 + x3 * t7 + x2 * t6 + x4 * t8 - 1.0,
            x3 * t5 - x1 * t7 + x4 * t6 - x2 * t8 - 1.0,
        ]
    )


def propane_combustion(x: Any) -> Any:
    """Combustion of propane in air (MINPACK-2, full formulation): eleven products, pressure 40, ratio 10."""
    pressure, ratio = 40.0, 10.0
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, total = x
    root = np.sqrt(pressure / total)
    return np.stack(
        [
            x1 + x4 - 3.0,
            2.0 * x1 + x2 + x4 + x7 + x8 + x9 + 2.0 * x10 - ratio,
            2.0 * x2 + 2.0 * x5 + x6 + x7 - 8.0,
            2.0 * x3 + x9 - 4.0 * ratio,
            x2 * x4 - x1 * x5,
            np.sqrt(x2 * x4) - np.sqrt(x1) * root * x6,
            np.sqrt(x1 * x2) - np.sqrt(x4) * x7 * root,
            x1 - x4 * x8 * pressure / total,
            x1 * np.sqrt(x3) - x4 * x9 * root,
            x1**2 - x4**2 * x10 * pressure / total,
            total - np.sum(x[:10]),
        ]
    )


def robot_arm(angles: Any) -> Any:
    """Where six joints bring a robot's hand: its position, and three angles of its direction."""
    t1, t2, t3, t4, t5, t6 = angles
    c1, c2, c4, c5, c6 = np.cos(t1), np.cos(t2), np.cos(t4), np.cos(t5), np.cos(t6)
    s1, s2, s4, s5, s6 = np.sin(t1), np.sin(t2), np.sin(t4), np.sin(t5), np.sin(t6)
    c23 = np.cos(t2) * np.cos(t3) - np.sin(t2) * np.sin(t3)
    s23 = np.cos(t2) * np.sin(t3) + np.sin(t2) * np.cos(t3)
    ax = s5 * (c1 * c23 * c4 + s1 * s4) + c1 * s23 * c5
    ay = s5 * (s1 * c23 * c4 - c1 * s4) + s1 * s23 * c5
    az = s23 * c4 * s5 - c23 * c5
    nz = c6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * s6
    oz = -s6 * (c23 * s5 + s23 * c4 * c5) - s23 * s4 * c6
    reach = LINKS["a1"] + LINKS["a2"] * c2 + LINKS["a3"] * c23 + LINKS["d4"] * s23
    across = s5 * (s1 * c23 * c4 + c1 * s4) + s1 * s23 * c5
    height = LINKS["a2"] * s2 + LINKS["d1"] + LINKS["a3"] * s23 - LINKS["d4"] * c23 + LINKS["d6"] * az
    turns = [np.arctan2(ay, ax), np.arctan2(np.sqrt(1.0 - az**2), az), np.arctan2(oz, -nz)]
    return np.stack([LINKS["d6"] * ax + c1 * reach, LINKS["d6"] * across + s1 * reach, height, *turns])


def option_price(x: Any) -> Any:
    """Black and Scholes' price of a call: spot, strike, rate, volatility and time."""
    spot, strike, rate, sigma, time = x
    forward, spread = np.exp(rate * time) * spot, sigma * np.sqrt(time)
    d1 = (np.log(forward / strike) + sigma**2 / 2.0 * time) / spread
    d2 = d1 - spread
    normal1, normal2 = (1.0 + erf(d1 / np.sqrt(2.0))) / 2.0, (1.0 + erf(d2 / np.sqrt(2.0))) / 2.0
    return np.exp(-rate * time) * (forward * normal1 - strike * normal2)
