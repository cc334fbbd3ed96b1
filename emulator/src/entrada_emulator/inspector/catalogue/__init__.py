"""What everything on the pages of the inspector is for, as data: parameters, cookies, claims, checks, steps."""
