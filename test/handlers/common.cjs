module.exports = { named: () => 'from CommonJS' };
