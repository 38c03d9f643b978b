DROP TABLE key_values;
