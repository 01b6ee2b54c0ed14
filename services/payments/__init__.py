"""Payments: a customer pays an order. An order has one payment, a payment its attempts."""
