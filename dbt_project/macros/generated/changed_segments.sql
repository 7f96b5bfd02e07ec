{# Segments whose definition is new, changed or gone; a build replaces this file. #}
{% macro changed_segments() %}{{ return([]) }}{% endmacro %}
