"""Refunds: what customers paid goes back, asked for by one person, approved by another."""
