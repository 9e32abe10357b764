"""Prepared derivatives: Jacobians, Hessians, gradients, and what they share."""
