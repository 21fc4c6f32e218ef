"""The pages of the reference that are made of the code: each module makes one."""
